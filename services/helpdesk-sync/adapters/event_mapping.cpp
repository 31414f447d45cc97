#include "adapters/event_mapping.h"

namespace helpdesk_sync {

core::Result<Export> to_export(const exports_v1::OrderExported& event, const kit::EventHeaders& headers) {
    const auto shop = core::parse_shop_alias(event.context().shop());
    if (!shop || event.context().connection().empty()) {
        return core::fail(core::ErrorKind::malformed, "context_malformed", "the event names no shop or connection");
    }
    return Export{.shop = *shop,
                  .connection = event.context().connection(),
                  .created = event.action() == exports_v1::EXPORT_ACTION_CREATED,
                  .at = headers.time};
}

}  // namespace helpdesk_sync
