"""The queue's door: each job loads its row anew and calls one service."""
