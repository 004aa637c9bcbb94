"""Pure: libraries, images and file endings by what they are evidence for."""

from __future__ import annotations

LIBRARIES = {
    "metrics": "prometheus_client statsd datadog django_prometheus prometheus_fastapi_instrumentator starlette_exporter"
    " aioprometheus opentelemetry.metrics opentelemetry.sdk.metrics newrelic influxdb ddtrace.dogstatsd",
    "tracing": "opentelemetry opentracing ddtrace jaeger_client zipkin aws_xray_sdk osprofiler elasticapm logfire",
    "error-tracking": "sentry_sdk raven rollbar bugsnag honeybadger airbrake",
    "logging": "structlog pythonjsonlogger loguru oslo_log",
    "health-check": "health_check healthcheck watchman oslo_middleware.healthcheck",
    "feature-flags": "waffle ldclient launchdarkly UnleashClient flagsmith gargoyle flipper openfeature growthbook"
    " configcat constance posthog",
    "resilience": "tenacity backoff stamina pybreaker circuitbreaker aiobreaker retrying pyresilience purgatory"
    " urllib3.util.retry urllib3.util.Retry",
    "contract-tests": "pact schemathesis dredd_hooks pact_python pactman",
    "openapi": "drf_spectacular drf_yasg apispec flasgger flask_smorest connexion drf_openapi ninja fastapi",
    "graphql-schema": "graphene ariadne strawberry",
    "web-framework": "django flask fastapi starlette aiohttp.web tornado bottle pyramid sanic falcon litestar quart"
    " cherrypy webob",
    "orm": "django.db.models sqlalchemy sqlmodel peewee pony tortoise mongoengine beanie odmantic ormar",
    "broker": "kafka aiokafka confluent_kafka pika aio_pika kombu celery nats rq dramatiq huey"
    " oslo_messaging faststream",
    "database": "psycopg psycopg2 asyncpg pymysql MySQLdb aiomysql sqlite3 aiosqlite pymongo motor cassandra"
    " neo4j cx_Oracle oracledb pyodbc clickhouse_driver boto3.dynamodb"
    " influxdb_client",
    "cache": "redis aioredis valkey pymemcache pylibmc memcache",
    "service": "ramet.Contract ramet.Api",
    "search-engine": "elasticsearch elasticsearch_dsl opensearchpy meilisearch typesense pysolr",
}
NAMES = {
    "django.db.models": "django",
    "aiohttp.web": "aiohttp",
    "psycopg": "postgresql",
    "psycopg2": "postgresql",
    "asyncpg": "postgresql",
    "pymysql": "mysql",
    "MySQLdb": "mysql",
    "aiomysql": "mysql",
    "sqlite3": "sqlite",
    "aiosqlite": "sqlite",
    "pymongo": "mongodb",
    "motor": "mongodb",
    "aioredis": "redis",
    "kafka": "kafka",
    "aiokafka": "kafka",
    "confluent_kafka": "kafka",
    "pika": "rabbitmq",
    "aio_pika": "rabbitmq",
    "opensearchpy": "opensearch",
    "cx_Oracle": "oracle",
    "oracledb": "oracle",
    "clickhouse_driver": "clickhouse",
    "boto3.dynamodb": "dynamodb",
    "influxdb_client": "influxdb",
}
IMPORTS = {
    library: (name, NAMES.get(library, library.partition(".")[0]))
    for name, libraries in LIBRARIES.items()
    for library in libraries.split()
}
"""What an import is evidence for, and how it is called there; the longest name that fits counts."""
IMPORTS["fastapi"] = ("web-framework", "fastapi")  # which also serves an OpenAPI document by itself
IMPORTS["oslo_middleware.healthcheck"] = ("health-check", "oslo")
ENGINES = {
    "postgres": ("database", "postgresql"),
    "pgbouncer": ("database", "postgresql"),
    "mysql": ("database", "mysql"),
    "mariadb": ("database", "mysql"),
    "mongo": ("database", "mongodb"),
    "redis": ("cache", "redis"),
    "valkey": ("cache", "redis"),
    "memcached": ("cache", "memcached"),
    "elasticsearch": ("search-engine", "elasticsearch"),
    "opensearch": ("search-engine", "opensearch"),
    "cassandra": ("database", "cassandra"),
    "neo4j": ("database", "neo4j"),
    "rabbitmq": ("broker", "rabbitmq"),
    "kafka": ("broker", "kafka"),
    "nats": ("broker", "nats"),
    "prometheus": ("metrics", "prometheus"),
    "grafana": ("metrics", "grafana"),
    "jaeger": ("tracing", "jaeger"),
    "opentelemetry": ("tracing", "opentelemetry"),
    "otel": ("tracing", "opentelemetry"),
    "zipkin": ("tracing", "zipkin"),
}
LANGUAGES = {
    "js": "javascript",
    "jsx": "javascript",
    "mjs": "javascript",
    "ts": "typescript",
    "tsx": "typescript",
    "go": "go",
    "java": "java",
    "kt": "kotlin",
    "rb": "ruby",
    "php": "php",
    "rs": "rust",
    "cs": "c#",
    "scala": "scala",
    "ex": "elixir",
    "exs": "elixir",
    "c": "c",
    "cpp": "c++",
    "cc": "c++",
    "swift": "swift",
    "clj": "clojure",
    "erl": "erlang",
    "hs": "haskell",
}
