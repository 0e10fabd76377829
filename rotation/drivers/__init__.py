"""One file for each kind of credential: its steps, in order. Each file says what it must be let do.

A driver's function takes typed parts and gives the steps; nothing is asked before a step acts.
"""
