#include <syncline/kit/processor.h>

#include "src/processing/admin_routes.h"
#include "src/processing/engine.h"
#include "src/processing/scans.h"
#include "src/store/schema.h"

namespace syncline::kit {

std::span<const Migration> Processor::migrations() {
    return store::migrations();
}

core::Result<std::unique_ptr<Processor>> Processor::make(std::vector<HandlerSpec> handlers, std::optional<TargetSpec> target,
                                                         ResolvesHold resolves_hold, ProcessorOptions options,
                                                         const ProcessorPorts& ports) {
    auto table = HandlerTable::make(std::move(handlers));
    if (!table) {
        return std::unexpected(std::move(table.error()));
    }
    auto engine =
        std::make_unique<Engine>(std::move(*table), std::move(target), std::move(resolves_hold), std::move(options), ports);
    return std::unique_ptr<Processor>(new Processor(std::move(engine)));
}

Processor::Processor(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Processor::~Processor() = default;

void Processor::add_admin_routes(AdminRouter& router) {
    kit::add_admin_routes(router, *engine_);
}
core::Result<void> Processor::start() {
    return engine_->start();
}
core::Result<void> Processor::ready() const {
    return engine_->ready();
}
core::Result<void> Processor::alive(std::chrono::nanoseconds stuck_after) const {
    return engine_->alive(stuck_after);
}
void Processor::mappings_changed(std::string version) {
    engine_->mappings_changed(std::move(version));
}
bool Processor::drain(core::Deadline deadline) {
    return engine_->drain(deadline);
}
Processor::Figures Processor::figures() const {
    return engine_->figures();
}

}  // namespace syncline::kit
