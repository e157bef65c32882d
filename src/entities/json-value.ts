/**
 * A value for a column of type jsonb. `object` stands for arrays and objects, so that interfaces of your own fit. It also
 * fits what JSON cannot hold, such as functions, which TypeORM takes for SQL.
 */
export type JsonValue = string | number | boolean | object | null;
