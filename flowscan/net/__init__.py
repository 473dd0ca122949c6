"""What is known of addresses and ports without any log: the ground floor.

address reads and writes them, intervals and columns and numbers do so by the million; ranges and
networks say what kind of address one is, services and ports what a port is for; sql says all that
to a database. Invariant: what an address or port means by itself stands here and nowhere else.
"""
