"""One module for each peer. A worker imports only the one that it measures."""
