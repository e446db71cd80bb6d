package io.jitflow.spring;

import io.jitflow.flux.FluxPool;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the health indicators of both lines of Spring Boot tell. */
final class PoolHealth {
  private PoolHealth() {}

  static Map<String, Object> details(FluxPool pool) {
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("bundle", pool.bundle().toString());
    details.put("pipelines", pool.size());
    details.put("healthy", pool.healthy());
    details.put("running", pool.running());
    details.put("waiting", pool.waiting());
    return details;
  }
}
