"""The console script: what a person does by hand, over the same code as the plugin."""
