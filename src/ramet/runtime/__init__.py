"""One running application: its services assembled, started, called, drained, and looked after."""
