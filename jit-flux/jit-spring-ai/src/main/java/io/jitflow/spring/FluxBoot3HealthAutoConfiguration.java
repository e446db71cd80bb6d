package io.jitflow.spring;

import io.jitflow.flux.FluxPool;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

/** The health indicator {@code jit} where the interfaces are those of Spring Boot 3. */
@AutoConfiguration(after = FluxAutoConfiguration.class)
@ConditionalOnClass(name = "org.springframework.boot.actuate.health.HealthIndicator")
@ConditionalOnBean(FluxPool.class)
@ConditionalOnProperty(name = "management.health.jit.enabled", matchIfMissing = true)
public class FluxBoot3HealthAutoConfiguration {

  /** For Spring. */
  public FluxBoot3HealthAutoConfiguration() {}

  /**
   * Up until the pool is closed, with the length of its queue.
   *
   * @param pool the pipelines
   * @return the indicator
   */
  @Bean
  @ConditionalOnMissingBean(name = "jitHealthIndicator")
  public HealthIndicator jitHealthIndicator(FluxPool pool) {
    return () ->
        (pool.isClosed() ? Health.down() : Health.up())
            .withDetails(PoolHealth.details(pool))
            .build();
  }
}
