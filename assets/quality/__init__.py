"""What was checked: contract to Great Expectations, quarantine, check history."""
