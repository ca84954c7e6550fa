"""`make bench`: measures the speed of the client next to other clients."""
