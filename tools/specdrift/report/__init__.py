"""What a comparison reports, and the formats it is written in."""
