"""Offline quantiser, packer, download command and the shipped default model."""
