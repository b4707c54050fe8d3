"""What a screen shows, as frozen dataclasses of sentences and times ready to be read."""
