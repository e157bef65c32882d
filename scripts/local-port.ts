/** Where `npm run db` listens, and where the command line looks for a server when DATABASE_URL is not set. */
export const LOCAL_PORT = 54330;
