"""The leaderboard: from scores.json files to ranked tables, exports and a static site."""
