#include "snapshot/bulk_lines.h"

#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <utility>

namespace reconciliation {

namespace json = syncline::json;

const std::string_view kStockQuery = R"({
  inventoryItems {
    edges {
      node {
        id
        sku
        tracked
        inventoryLevels {
          edges {
            node {
              id
              location { id }
              item { id sku tracked }
              quantities(names: ["available", "on_hand"]) { name quantity updatedAt }
            }
          }
        }
      }
    }
  }
})";

std::string changed_stock_query(std::string_view since) {
    return R"({
  locations {
    edges {
      node {
        id
        inventoryLevels(query: "updated_at:>=')" +
           std::string(since) + R"('") {
          edges {
            node {
              id
              location { id }
              item { id sku tracked }
              quantities(names: ["available", "on_hand"]) { name quantity updatedAt }
            }
          }
        }
      }
    }
  }
})";
}

namespace {

// The number at the end of gid://shopify/<kind>/<number>; 0 if it is none of that kind.
std::int64_t id_of(json::Value object, std::string_view kind) {
    const auto gid = object.string_of("id");
    const std::string prefix = "gid://shopify/" + std::string(kind) + "/";
    if (!gid || !gid->starts_with(prefix)) {
        return 0;
    }
    const auto number = core::parse_int<std::int64_t>(gid->substr(prefix.size()));
    return number && *number > 0 ? *number : 0;
}

}  // namespace

BulkLines::BulkLines(QuantityOf quantity, Take take) : quantity_(std::move(quantity)), take_(std::move(take)) {}

BulkLines::BulkLines(std::string quantity, Take take)
    : BulkLines([name = std::move(quantity)](std::string_view) -> std::string_view { return name; }, std::move(take)) {}

core::Error BulkLines::refuse(std::string_view what) const {
    return core::fail(core::ErrorKind::malformed, "snapshot_row", "line " + std::to_string(lines_) + ": " + std::string(what))
        .error();
}

core::Result<void> BulkLines::line(std::string_view text) {
    ++lines_;
    const auto document = json::Document::parse(std::string(text));
    if (!document) {
        return std::unexpected(refuse(document.error().message));
    }
    const auto root = document->root();
    const auto level_of = root.get_present("__parentId");
    if (!level_of && id_of(root, "Location") != 0) {
        return {};
    }
    const auto item = level_of ? root.get_present("item") : std::optional(root);
    if (!item) {
        return std::unexpected(refuse("a level without its item"));
    }
    StockRow row;
    row.item_id = id_of(*item, "InventoryItem");
    if (row.item_id == 0) {
        return std::unexpected(refuse("this is no inventory item"));
    }
    if (const auto sku = item->get_present("sku")) {
        const auto value = sku->string();
        if (!value) {
            return std::unexpected(refuse("the SKU is no text"));
        }
        row.sku = *value;
    }
    const auto tracked = item->boolean_of("tracked");
    if (!tracked) {
        return std::unexpected(refuse("whether the item is tracked is not said"));
    }
    std::string location;
    if (level_of) {
        const auto place = root.get_present("location");
        const auto id = place ? id_of(*place, "Location") : 0;
        if (id == 0) {
            return std::unexpected(refuse("a level without its location"));
        }
        location = std::to_string(id);
        row.location = location;
        const auto wanted = quantity_(location);
        if (wanted.empty()) {
            return {};
        }
        bool found = false;
        if (const auto quantities = root.get_present("quantities")) {
            for (const auto element : quantities->elements()) {
                if (const auto name = element.string_of("name"); !name || *name != wanted) {
                    continue;
                }
                const auto quantity = element.decimal_of("quantity");
                if (!quantity) {
                    return std::unexpected(refuse("the quantity is no number"));
                }
                row.quantity = *quantity;
                if (const auto updated = element.get_present("updatedAt")) {
                    const auto at = updated->string() ? core::parse_rfc3339(*updated->string())
                                                      : core::Result<core::SystemTime>(std::unexpect);
                    if (!at) {
                        return std::unexpected(refuse("the time is no time"));
                    }
                    row.observed_at_ns = core::nanos_since_epoch(*at);
                }
                found = true;
            }
        }
        if (!found) {
            return std::unexpected(refuse("a level without the quantity asked for"));
        }
        ++levels_;
    }
    if (row.sku.empty()) {
        without_sku_ += level_of ? 0 : 1;
        return {};
    }
    return *tracked ? take_(row) : core::Result<void>{};
}

core::Result<void> BulkLines::finish(std::uint64_t objects) {
    if (lines_ != objects) {
        return core::fail(core::ErrorKind::malformed, "snapshot_truncated",
                          "Shopify counted " + std::to_string(objects) + " objects, " + std::to_string(lines_) + " lines came");
    }
    return {};
}

}  // namespace reconciliation
