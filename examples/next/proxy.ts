import { type NextRequest, NextResponse } from "next/server";

/** Next itself answers an address that is malformed with 500. */
export function proxy({ url }: NextRequest): NextResponse {
  try {
    decodeURI(new URL(url).pathname);
    return NextResponse.next();
  } catch {
    return NextResponse.json({ detail: "The address is malformed." }, { status: 400 });
  }
}
