"""From settings to components: each module turns one part of the settings into its components.

Owns the translation and the order in which parts wait for each other. Decides no value: what a
stack gets is in `settings`, how it is made in `components`.
"""
