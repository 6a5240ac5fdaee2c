// Package store keeps typed trading state in Redis. It is the runtime of the
// packages that cmd/gen emits: those describe tables and encode rows, and all
// behaviour is here.
//
// # Reading and writing
//
// Rows are values. [Rows.Put] stores a row with its time to live and its index
// memberships in one atomic round trip; the emitted Append methods do so
// together with new elements of a row's history; [Store.Commit] does any number
// of changes of one tenant as one step, if what was read still holds.
//
// # Outcomes
//
// Every operation ends in one of three ways, which [errors.Is] tells apart: it
// was applied (nil); it was surely not applied ([ErrUnavailable], [ErrRefused],
// [ErrConflict], [ErrNotFound]); or its reply was lost ([ErrUnknownOutcome]).
// An operation whose outcome is unknown can have been applied or not, but it is
// never applied behind a newer write of this store: a connection that was given up is
// killed at the server before the next one is used. Errors name the table, the
// id and, where there is one, the field: they are *[RowError] values.
//
// What the server could not take now, because it is loading, failing over or
// out of memory, is tried again for some seconds. A context with a deadline
// bounds every call.
//
// # Reads
//
// Rows that this process has read or written are kept near, decoded, for all
// tenants of one Open: [Rows.Get], [Rows.GetMany] and [Rows.Peek] give them
// without asking Redis. Lists, hashes and series are always read from Redis.
// One store never takes back what it has returned or has had acknowledged. A
// write of another client is seen as soon as Redis has told of it, within a
// fraction of a millisecond on one machine, and never later than Config.MaxAge,
// whatever has become of the connection. [Strong] and [MaxAge] ask for more.
// [Set.Watch] tells of every change. A given Config.Client, cache: off, and a
// server that refuses client tracking mean reads from Redis and no Watch.
//
// Four things are not promised. What Redis itself loses or takes back, as in a
// failover, is lost here too. SWAPDB is noticed within a minute. A row whose
// buffered write is not acknowledged yet hides what others write. And the time
// during which a machine is suspended does not count as time.
//
// # Indexes
//
// An index lists at least the rows that belong to it: an open row is never
// missing, whichever process writes. It can list too much, for instance a row
// that has expired; readers check each row and remove what is wrong.
//
// # Time to live
//
// The time to live of a row runs from its last write, by the server's clock,
// and follows from its state. Its lists and hashes live as long as the row. A
// row that becomes open again loses its expiry everywhere in the same step. A
// row of a table with kept_by does not expire while a row that refers to it is
// in one of the named states.
//
// # What Redis loses
//
// An acknowledged write is as safe as Redis keeps it: with appendfsync always
// it survives a kill of the server; with everysec the last second or two can be
// gone; a failover loses what had not been replicated.
//
// # Keys
//
//	{prefix}-{type}:{identifier}                   row: trader-order:O-20251230-001
//	{prefix}-{trader}@{instance}-{type}:{identifier}
//	{prefix}-{type}.{list or hash}:{identifier}    trader-order.events:O-20251230-001
//	{prefix}-{type}.{index}[:{value}]              trader-order.by_strategy:EMACross-001
//
// Bytes of trader and instance outside [A-Za-z0-9_-] stand as %XX, so that no
// two names share a key.
package store
