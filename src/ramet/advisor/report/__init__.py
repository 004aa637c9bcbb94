"""What was found, for people and for machines: terminal, HTML, Markdown, JSON, SARIF."""
