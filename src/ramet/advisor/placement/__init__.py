"""Which services of a running application belong together, by its traffic."""
