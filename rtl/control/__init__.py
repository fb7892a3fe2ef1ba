"""The decoder as an IP block: AXI4-Lite registers, mailboxes, interrupt, boot from memory."""
