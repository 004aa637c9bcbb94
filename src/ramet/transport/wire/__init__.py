"""Pure: the protocol between two processes, from the frames of a stream to what may follow what."""
