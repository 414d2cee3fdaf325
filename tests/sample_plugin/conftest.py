"""Being here, it makes pytest put this folder into the path: the sample's tests find it without its being installed."""
