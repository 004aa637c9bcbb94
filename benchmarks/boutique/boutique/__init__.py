"""The shop: contracts, the services behind them, and the public API in front."""
