"""What runs against what the program deployed: changed, missing, and made by somebody else.

Reads both sides and compares; changes nothing, and reads no secret value.
"""
