"""What is made, in the order data flows."""
