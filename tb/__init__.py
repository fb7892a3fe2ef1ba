"""Testbenches, mirroring the folders they test."""
