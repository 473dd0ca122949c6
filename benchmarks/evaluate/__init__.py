"""How good the detections are: generated estates with planted attacks, and a labelled capture."""
