"""Ratings: raw files -> checked `RatingTable` -> `Split`. Import the modules that you need."""
