"""A seeded clinic network with planted truth."""
