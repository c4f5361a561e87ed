"""Finds, orders and runs the SQL models."""
