"""Statistical methods: arrays in, arrays out. They know nothing of clinics, tables or the contract."""
