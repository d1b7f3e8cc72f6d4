"""The platform: 25 regions on one log, a ledger that nobody can overdraw, and the tables, screens and API around it."""
