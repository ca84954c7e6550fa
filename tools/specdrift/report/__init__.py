"""Contains what a comparison reports, and one module per output format."""
