#include "adapters/lease_schema.h"

namespace reconciliation {

const std::string_view kOwnLeasesSchema = R"sql(
CREATE TABLE IF NOT EXISTS leases (name text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
)sql";

// A process of an older version that still runs has its turn until it runs out; without the table it cannot renew it.
const std::string_view kKitLeasesSchema = R"sql(
CREATE TABLE IF NOT EXISTS leases (name text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
INSERT INTO work_leases (name, owner, until) SELECT name, owner, until FROM leases ON CONFLICT (name) DO NOTHING;
DROP TABLE leases;
)sql";

}  // namespace reconciliation
