"""What a developer runs from a checkout: environments, real components, the demo."""
