"""Parts of the draft of a profile: words, what columns hold, what they may mean, and how it is written down."""
