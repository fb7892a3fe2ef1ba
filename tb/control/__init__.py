"""The decoder as an IP block: registers, mailboxes, boot from memory."""
