"""The ways in and out for other systems: the published description, maps, messages, events, feeds and exports."""
