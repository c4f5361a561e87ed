"""Published tables by topic: marts in, frames out, after disclosure control."""
