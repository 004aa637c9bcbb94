// What else a customer may like: a service of the shop in another language, without any library.
//
// It implements the contract of recommendations.openapi.json (`ramet openapi recommendations`), and asks the
// shop's catalog through that one's contract:
//
//     SHOP_URL=http://127.0.0.1:8000/contracts node recommendations/server.mjs

import http from "node:http";

const port = Number(process.env.PORT ?? 8090);
const shop = (process.env.SHOP_URL ?? "").replace(/\/$/, "");
const token = process.env.SHOP_TOKEN ?? "";
const PROBLEM = { "content-type": "application/problem+json" };

class Problem extends Error {
  constructor(status, code, title, facts = {}) {
    super(title);
    this.status = status;
    this.members = { type: `urn:ramet:error:${code}`, title, status, code, ...facts };
  }
}

// Calls a contract of the shop, within the time that the caller has left.
async function call(contract, method, args, deadline, trace) {
  const left = Math.max(1, deadline - Date.now());
  const headers = { "content-type": "application/json", "ramet-timeout": String(left) };
  if (token) headers.authorization = `Bearer ${token}`;
  if (trace) headers.traceparent = trace;
  const signal = AbortSignal.timeout(left);
  let answer;
  try {
    answer = await fetch(`${shop}/${contract}/${method}`, { method: "POST", headers, body: JSON.stringify(args), signal });
  } catch (error) {
    if (error.name === "TimeoutError") throw new Problem(504, "deadline-exceeded", "Out of time");
    throw new Problem(503, "unavailable", "The shop cannot be reached", { detail: String(error.cause ?? error) });
  }
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Problem(answer.status, body.code, body.title), { members: body });
  return body;
}

const methods = {
  // Products of the same category, the nearest in price first.
  async similar({ sku, limit = 4 }, deadline, trace) {
    if (typeof sku !== "string") throw new Problem(422, "invalid-arguments", "The values do not fit", { detail: "sku is a text" });
    let product;
    try {
      product = await call("catalog", "product", { sku }, deadline, trace);
    } catch (problem) {
      if (problem.members?.code !== "no-such-product") throw problem;
      throw new Problem(404, "unknown-product", "Unknown product", { sku });
    }
    const others = await call("catalog", "search", { category: product.category }, deadline, trace);
    return others
      .filter((other) => other.sku !== sku)
      .sort((a, b) => Math.abs(a.price_cents - product.price_cents) - Math.abs(b.price_cents - product.price_cents))
      .slice(0, limit)
      .map((other) => ({ sku: other.sku, name: other.name }));
  },
};

async function read(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString() || "{}");
  } catch {
    throw new Problem(422, "invalid-arguments", "The body is no JSON");
  }
}

async function answer(request) {
  const method = methods[request.url.match(/^\/recommendations\/(\w+)$/)?.[1]];
  if (!method || request.method !== "POST") throw new Problem(404, "not-found", "Not found");
  const deadline = Date.now() + Number(request.headers["ramet-timeout"] ?? 5000);
  return method(await read(request), deadline, request.headers.traceparent);
}

const server = http.createServer(async (request, response) => {
  try {
    const body = JSON.stringify(await answer(request));
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  } catch (error) {
    const known = error instanceof Problem;
    const members = known ? error.members : { type: "about:blank", title: "Internal error", status: 500, code: "internal-error" };
    if (!known) console.error(error);
    response.writeHead(known ? error.status : 500, PROBLEM).end(JSON.stringify(members));
  }
});

server.listen(port, "127.0.0.1", () => console.log(`recommendations at http://127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
