"""Which control holds, by which proof: at preview by the rules, live by asking Vault and cluster.

Says "not checked" as plainly as "failed"; certifies nothing.
"""
