"""One page per module: frames and figures become HTML."""
