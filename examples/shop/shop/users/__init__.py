"""Who the customers are: accounts, sign-in, profiles and preferences."""
