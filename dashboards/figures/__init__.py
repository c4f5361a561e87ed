"""One figure per module: a frame becomes a Plotly figure."""
