// Stock as an Odoo keeps it: the quants of each place and product, summed.
//
// poll() reads what has changed since the last poll (write_date of quants and of done move lines, with an overlap, because Odoo
// writes the time at which a transaction began, to the second) and what was shipped since its level was seen. A product that
// changed is read whole, so a quant that is gone counts as none. Once a day, and when the service starts, everything is read:
// what was deleted without a trace becomes 0 then. Such a reading with far fewer rows than the last one is refused as a whole
// (rights were lost?).
//
// Products with one default_code are one SKU; archived ones count as long as they lie on the shelf; goods that belong to somebody
// else (owner_id) do not. The unit is the product's; Units are pieces. A level is observed when its reading began, by our clock:
// clocks of Odoo and Shopify are never compared.
//
// One thread at a time for a source. poll() blocks for its calls; it ends early, with nothing lost, when `ours` says so.
#pragma once

#include <syncline/odoo/transport.h>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/stock_reports.h"
#include "domain/rules.h"

namespace syncline::postgres {
class Pool;
}

namespace inventory_sync {

struct OdooRead {
    bool due = false;  // Else it was too early, and nothing was asked.
    bool whole = false;
    std::uint64_t reported = 0;
};

class OdooSource {
public:
    // Asks the server for its version and gives the transport that suits it.
    using Connect =
        std::function<core::Result<std::shared_ptr<syncline::odoo::Transport>>(const OdooRule&, const core::Deadline&)>;
    OdooSource(syncline::postgres::Pool& pool, StockReporter& reporter, core::Clock& clock, Connect connect);
    ~OdooSource();
    // Errors: Odoo, a broker or our database is away (tried again with the next poll); kind rejected, code "file_shrunken".
    [[nodiscard]] core::Result<OdooRead> poll(const std::string& source, Basis basis, const OdooRule& rule,
                                              const std::function<bool()>& ours);

private:
    struct Known;
    syncline::postgres::Pool& pool_;
    StockReporter& reporter_;
    core::Clock& clock_;
    Connect connect_;
    std::map<std::string, Known> known_;  // By source.
};

}  // namespace inventory_sync
