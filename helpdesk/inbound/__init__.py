"""Mail coming in: raw bytes are stored first, then read, screened, matched to a ticket and acted on."""
