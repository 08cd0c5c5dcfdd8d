package org.diffcert.diffusion.jni;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP how to bind the C ABI: the header, the library, and the three names that its parser needs help with.
 * The binding itself (DiffcertAbi and the structs beside it) is written from diffcert.h at build time.
 */
@Properties(
    value = @Platform(value = "linux-x86_64", include = "diffcert/diffcert.h", link = "diffcert"),
    target = "org.diffcert.diffusion.jni",
    global = "org.diffcert.diffusion.jni.DiffcertAbi")
public class BindingRecipe implements InfoMapper {
  /** Made by JavaCPP. */
  public BindingRecipe() {}

  @Override
  public void map(InfoMap infoMap) {
    infoMap.put(new Info("DC_API").cppTypes().annotations().cppText(""));
  }
}
