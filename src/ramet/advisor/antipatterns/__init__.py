"""What goes wrong with services: detectors with thresholds, evidence and a remedy."""
