"""What a quality team signs: the ledger of decisions and seals, the history of checks, what moved between releases."""
