package io.jitflow.spring;

import io.jitflow.flux.FluxPool;
import java.io.IOException;
import org.springframework.ai.image.ImageModel;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** The image model {@code jit} of Spring AI, and the pipelines behind it. */
@AutoConfiguration
@ConditionalOnClass({ImageModel.class, FluxPool.class})
@ConditionalOnProperty(name = "spring.ai.model.image", havingValue = "jit", matchIfMissing = true)
@EnableConfigurationProperties(FluxProperties.class)
public class FluxAutoConfiguration {

  /** For Spring. */
  public FluxAutoConfiguration() {}

  /**
   * The pipelines; closing the context ends a running image before its next step or network.
   *
   * @param properties what to load
   * @return the pool
   * @throws IOException if the bundle is missing, incomplete or damaged
   */
  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  public FluxPool fluxPool(FluxProperties properties) throws IOException {
    properties.options().settings().check(); // before the loading, which takes longer
    return FluxPool.load(properties.bundlePath(), properties.pipelines(), properties.queueLimit());
  }

  /**
   * The model.
   *
   * @param pool the pipelines
   * @param properties what a call leaves open
   * @return the model
   */
  @Bean
  @ConditionalOnMissingBean
  public FluxImageModel fluxImageModel(FluxPool pool, FluxProperties properties) {
    return new FluxImageModel(pool, properties.options());
  }
}
