"""Who in Orah is who in Veracross. Only certain links are made; everything else waits for a person."""
