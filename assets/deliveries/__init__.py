"""What a clinic sends: profiles, readers, typing with reasons, ledger."""
